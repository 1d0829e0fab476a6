// Package file has the FileStream connectors: a source that turns the lines of
// a file into records, and a sink that appends records to a file as lines. They
// are the smallest whole example of a plugin, and the worker's own test subject.
//
// The source's offset is the position, in bytes, behind the line that a record
// holds, so that it goes on where it stopped. (The Java connector counts UTF-16
// characters and then skips as many bytes: for a text with other letters than
// ASCII it goes on in the middle of what it had sent. Its stored positions are
// read in the same way, as bytes.) A last line without a line end waits until
// its end is there; a file that is not there is waited for.
//
// Bytes that are no UTF-8 become U+FFFD, as in Java, and the log says so.
package file
