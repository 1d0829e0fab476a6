// Package source is the JDBC source connector: it reads tables or a query at
// intervals and makes a record of every row.
//
// The connector lists tables and deals them out (tables.go, connector.go); a
// task reads its tables one after the other (task.go) over one connection that
// it keeps or waits for (link.go). A round of a table is
// one statement (query.go) whose bounds come from the offset of the last row
// that was handed over (criteria.go, offset.go); its result set stays open
// between polls and is read only as fast as batches are taken (rows.go), so
// that memory is bounded whatever the size of a table (Promise 6).
//
// Statements, offsets and messages are those of the Java connector (spec
// jdbc-source), so that either can go on where the other stopped.
package source
