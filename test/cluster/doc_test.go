// Package cluster runs our workers in the place of Java workers, beside them in one group, and against the loss of the broker
// and of each other, and looks at what users would lose: lines of a file on their way through a topic into another file, and
// requests.
package cluster
