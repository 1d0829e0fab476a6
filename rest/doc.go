// Package rest is the REST API of a worker, as Kafka Connect has it: the same
// paths, status codes, headers and error bodies (golden cases rest 01 to 20).
//
// It decides nothing about connectors. A Herder answers, and the package turns
// HTTP into its calls and its answers and errors into HTTP. What the Herder
// cannot do on this worker is sent on to the worker that can, see forward.go.
//
// Order of checks for every request: path (400), start-up (bare 404), route
// (404, 405), Content-Type (415), Accept (406), body (408, 413, 500), Herder.
//
// Bodies are read whole before a Herder is asked, within a time and a size, so
// that a slow or broken client costs a connection and never holds up the
// worker. A request then has 90 s; reads do not wait at all.
package rest
