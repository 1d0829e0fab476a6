// Package service runs the real services that tests need, a Kafka broker, a MariaDB and a PostgreSQL server, as private child
// processes: own data folder, own free ports on the loopback interface, own log file.
//
// Rules:
//   - Nothing here knows the testing package; package harness wraps these services for tests, and the command
//     cmd/services wraps a whole `go test` run.
//   - A service stops only the process it started. On Linux a child also ends when the process that started it ends, even
//     by kill -9.
//   - A program that is not installed is a *MissingError, so that a caller can skip; everything else that goes wrong is
//     an ordinary error with the end of the service's log in it.
//   - The value of one service belongs to one goroutine at a time.
package service
