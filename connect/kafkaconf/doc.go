// Package kafkaconf turns the configuration of a Java Kafka client, as it stands in worker and connector
// properties, into options of the Go client. Defaults are Java's (Kafka 4.2), not the library's.
//
// Every key falls into one of three groups, so that nothing is accepted and then not done (Promise 9):
//
//   - It has an effect: the tables in client.go, producer.go and consumer.go. A value that cannot be done (GSSAPI, a
//     Java class) is an error that names the remedy; one beyond what the library can do is cut to its limit, and Capped
//     says so.
//   - It has none, and need not: serializers, which Connect sets itself, metrics of the JVM, socket buffers, hints
//     such as batch.size. The list in unknown.go gives the reasons.
//   - Unknown names it, for one warning, as the Java clients do.
//
// Promise 8: no error shows the value of a PASSWORD key, nor any part of one.
package kafkaconf
