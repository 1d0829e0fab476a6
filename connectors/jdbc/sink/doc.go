// Package sink writes Kafka records into the tables of a database: the JDBC
// sink connector.
//
// # One delivery
//
// Put plans a delivery and then writes it in one transaction. The plan (plan,
// ensure) checks every record in order, finds its table and its shape, and
// carries out the DDL that is needed, with the statements and checks of the
// Java connector; where the database allows it, in the same transaction. Rows
// of one table and shape go in statements of many rows, prepared once (batch).
//
// # Order
//
// Records of one table are written in order, with one exception: where the
// order cannot be seen afterwards, only the last record of a key is written,
// sorted by key (merge).
//
// # Faults
//
// Task.decide tells three apart. Surroundings: the same delivery is asked for
// again, for ever, and nothing is reported. One record: with errors.tolerance=all
// and a reporter it is found by halving the statement that failed and reported,
// the others are written; without, the delivery is tried max.retries times and
// the task fails. Everything else, such as a missing privilege, fails at once.
package sink
