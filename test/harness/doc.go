// Package harness gives tests real surroundings: a Kafka broker, a MariaDB and a PostgreSQL server, kconnect and the Java worker as processes.
//
//	k := harness.Broker(t)                       // the broker of the run
//	db := harness.MariaDB(t)                     // a database of its own on the server of the run
//	pg := harness.Postgres(t)                    // the same on PostgreSQL
//	w := harness.Worker(t, nil)                  // a distributed worker on that broker, answering REST calls
//	j := harness.JavaWorker(t, harness.Join(w))  // a Java worker in the same cluster
//	w.Do(t, "POST", "/connectors", body)
//	harness.Eventually(t, "rows in the topic", func() (bool, string) { ... })
//
// Where the services come from:
//   - `make test` starts them once for all test binaries and says where they are in KCONNECT_TEST_BROKERS, KCONNECT_TEST_MARIADB
//     and KCONNECT_TEST_POSTGRES.
//   - Without these variables (`go test ./test/story`) the first call in a test binary starts what it needs, and the
//     service ends with the binary, however that ends.
//   - PrivateBroker, PrivateMariaDB and PrivatePostgres start one for a single test, which may stop, kill and restart it.
//   - OldBroker and OldJavaWorker have setup.sh fetch the jars of Kafka 3.9 first, which takes seconds.
//   - What is not installed makes the test skip with a sentence that names it; with CI=true the test fails.
//
// Services of the run are shared by tests that run at the same time: take topics, groups and databases from Name, or use
// names that no other test uses. Everything a test gets here is given back by its Cleanup. Functions that take a
// testing.TB fail that test, so hand in the subtest's own t.
package harness
