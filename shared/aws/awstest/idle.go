package awstest

// How often a sweep without work asks the state table: for the lists of open runs and
// of syncs, and for what is due of each sync. An answer without items is charged as one
// read unit at most.
const (
	IdleReads        = 2
	IdleReadsPerSync = 1
)
