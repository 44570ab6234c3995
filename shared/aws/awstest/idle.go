package awstest

// What a sweep without work reads of the state table, in read units: the lists of
// open runs and of syncs, and what is due of each sync.
const (
	IdleReads        = 1.0
	IdleReadsPerSync = 0.5
)
