// Package config is configuration as Kafka users know it: a flat map of texts,
// a table of keys that says how each text is read, and the messages users get
// when it cannot be.
//
// One table, Def, yields everything: Parse gives typed Values, Validate gives
// the entries of the REST API's validate answer, Markdown gives the reference
// page. Types, defaults, validators and the wording of errors follow Kafka's
// ConfigDef (golden cases rest 16-validate-filestream and 17-validate-jdbc),
// because tools and people read them.
//
// The package also reads Java's .properties files and resolves the
// ${provider:[path:]key} references in configurations. It does no other I/O,
// starts no goroutine and keeps no global state. A Def, and every value that
// is not being changed, may be used by several goroutines at once.
package config
