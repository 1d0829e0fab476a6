// Package transform has the transformations (SMTs) and predicates, and the
// chain that applies them to the batches of a task.
//
// A record passes the whole chain before the next one does, so that errors come
// in the order of the records. Transformations that only arrange the fields of
// a struct (arrangement) are worked out once for each schema, and those that
// follow each other are joined (run): what they fail on goes through them one
// by one, which alone know the error that Java's classes would give.
package transform
