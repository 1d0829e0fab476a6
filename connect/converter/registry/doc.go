// Package registry is what the converters of the three schema formats share:
// their settings, the client of the schema registry, subject names, the five
// bytes in front of every record, and the errors under which users of the
// Java converters know what can go wrong.
//
// The registry is asked when a schema is first seen, never for a record.
// Whatever it answers is kept in caches of bounded size by those who asked.
package registry

// PluginVersion is that of the Java converters whose behaviour is followed.
const PluginVersion = "7.9.0"
