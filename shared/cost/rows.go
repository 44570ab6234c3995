package cost

import "fmt"

// Work is rows that are pushed in requests of BatchRows.
type Work struct {
	Rows    float64
	Changed float64 // of them, those whose ledger entry is written
	Calls   float64 // of the vendor
	Lanes   float64 // of the sync: messages a request
	// Errors are rows that are stored as errors, of ErrorKB kilobytes each.
	Errors, ErrorKB float64
}

// Lines are what the rows cost, apart from errors.
func (w Work) Lines() []Line {
	const million = 1e6
	requests := w.Rows / BatchRows
	messages := requests * w.Lanes
	written, read := StateWrite*w.Rows/million, StateRead*w.Rows/million
	busy := w.Calls*CallSeconds/CallsAtOnce + messages*ChunkSeconds
	return []Line{
		{"DynamoDB, ledger reads", fmt.Sprintf("%s × $0.125/M (a unit a row, strongly consistent)", Thousands(w.Rows)), w.Rows * PerRead},
		{"DynamoDB, ledger writes", fmt.Sprintf("%s changed rows × $0.625/M", Thousands(w.Changed)), w.Changed * PerWrite},
		{"DynamoDB, batches, messages and counts", fmt.Sprintf("%s write units × $0.625/M and %s read units × $0.125/M, measured", Thousands(written), Thousands(read)), written*PerWrite + read*PerRead},
		{"API Gateway", fmt.Sprintf("%s requests × $3.50/M", Thousands(requests)), requests * PerAPI},
		{"Lambda, push", fmt.Sprintf("%s × %.1f s × %.1f GB × $0.0000133334/GB-s, and × $0.20/M", Thousands(requests), PushSeconds, PushGB), requests*PushSeconds*PushGB*PerGBSecond + requests*PerInvocation},
		{"SQS", fmt.Sprintf("%s messages × 3 (send, receive, delete) × $0.50/M", Thousands(messages)), messages * 3 * PerSQS},
		{"Lambda, worker", fmt.Sprintf("(%s calls × %.0f s ÷ %d + %s messages × %.1f s) × %.1f GB × $0.0000133334/GB-s", Thousands(w.Calls), CallSeconds, CallsAtOnce, Thousands(messages), ChunkSeconds, WorkerGB), busy * WorkerGB * PerGBSecond},
	}
}

// Dollars are what the rows cost, errors included: a write unit for each kilobyte that
// an error keeps, and one for the ledger.
func (w Work) Dollars() float64 {
	return Total(w.Lines()) + w.Errors*(w.ErrorKB+1)*PerWrite
}
