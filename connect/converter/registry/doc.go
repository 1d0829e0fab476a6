// Package registry is what the converters of the three schema formats share:
// their settings, the client of the schema registry, subject names, the five
// bytes in front of every record, and the errors under which users of the
// Java converters know what can go wrong.
//
// The registry is asked when a schema is first seen, never for a record:
// [Schemas] leads from the schema of a value to its id and from the id of a
// record to its schema, and remembers a bounded number of both. What a format
// has to say on the way is its [Translation].
package registry

// PluginVersion is that of the Java converters whose behaviour is followed.
const PluginVersion = "7.9.0"
