// Package file has the FileStream connectors: a source that turns the lines of
// a file into records, and a sink that appends records to a file as lines. They
// are the smallest whole example of a plugin, and the worker's own test subject.
//
// The source's offset is the position, in bytes, behind the line that a record
// holds, so that it goes on where it stopped. A last line without a line end is
// not read until its end is there.
package file
