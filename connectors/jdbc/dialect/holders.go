package dialect

// Holders are those who may still commit a row with an id of a table that was
// taken before they were listed. It rests on ids that come from a counter of
// the server, in the statement that inserts the row: who took one is running
// that statement, or is in an open transaction, or has ended.
//
// An id that is missing after all of them have ended will not come. Names mean
// something on one server only, so lists of two connections do not compare.
type Holders struct {
	// Transactions are the open ones. A name is not used again while anyone
	// could take the next transaction for the one before, but may stand for a
	// later one of the same session: who waits for it then waits too long.
	Transactions []string
	// Statements run outside the listed transactions and may have taken an id
	// already. When they have ended the transactions have to be listed again:
	// theirs may be open by then.
	Statements []string
	// Unknown says to users why nothing can be told; the lists are void then.
	Unknown string
	// Passing says that it may be told a moment later, and is not worth a word.
	Passing bool
}

// maxHolders is how many transactions or statements are read at most.
const maxHolders = 1000

// not returns the answer where nothing can be told, for as long as nobody
// changes the table or the server.
func not(why string) Holders { return Holders{Unknown: why} }

// notNow returns the answer where nothing can be told at the moment.
func notNow(why string) Holders { return Holders{Unknown: why, Passing: true} }
