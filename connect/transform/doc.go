// Package transform has the transformations (SMTs) and predicates, and the
// chain that applies them to the batches of a task.
package transform
