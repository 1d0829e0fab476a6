// Package dialect is what the JDBC source and sink know about databases: how
// to reach one by its JDBC URL, how its identifiers are written, what its
// columns hold, and what its errors mean.
//
// Open reads a URL and gives a *Database: a Dialect and the way to connect.
// Connect gives a *Conn, which one goroutine owns. Conn works on the driver's
// own interfaces (database/sql/driver) rather than through database/sql: a
// connector has one connection for each task and needs no pool, and rows and
// arguments pass without the boxing and locking of that layer.
//
// What a source needs for reading columns is in column*.go. What only a sink
// needs (types, DDL, statements, binding) is in files sink_*.go.
//
// Every dialect has one table of vendor codes (errors_*.go) that says whether
// an error is a fault of the surroundings, which is waited for (Promise 4), of
// the data, of the configuration or of the statement.
package dialect
