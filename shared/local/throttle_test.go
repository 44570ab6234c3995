package local_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/penstock-data/penstock/shared/app/apptest"
	"github.com/penstock-data/penstock/shared/run"
)

// A throttle is the write capacity of DynamoDB's tables, as a bucket of a second's
// write units.
type throttle struct {
	mu      sync.Mutex
	rate    float64 // write units a second; negative: any number
	level   float64
	at      time.Time
	granted float64
	refused int
	reads   int // BatchGetItem
	put     int // keys that an answer left unprocessed
}

// set changes the rate, and answers what was granted and refused until now.
func (l *throttle) set(rate float64) (granted float64, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	granted, refused = l.granted, l.refused
	l.rate, l.level, l.at, l.granted, l.refused = rate, rate, time.Now(), 0, 0
	return granted, refused
}

func (l *throttle) take(units float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate >= 0 {
		now := time.Now()
		l.level = min(l.level+l.rate*now.Sub(l.at).Seconds(), l.rate)
		l.at = now
		// The last unit may be overdrawn, so that a transaction is not starved by a rate
		// less than its units.
		if l.level < min(units, l.rate) || l.rate == 0 {
			l.refused++
			return false
		}
		l.level -= units
	}
	l.granted += units
	return true
}

// writeUnits is what a request costs: a unit per KB and item, in transactions two
// (Amazon DynamoDB Developer Guide, "Read and write operations").
func writeUnits(p *passing) (units float64, items int) {
	switch p.op {
	case "PutItem", "UpdateItem", "DeleteItem":
		return math.Ceil(float64(len(p.body)) / 1024), 1
	case "TransactWriteItems":
		var in struct{ TransactItems []json.RawMessage }
		_ = json.Unmarshal([]byte(p.body), &in) // the SDK's own
		for _, i := range in.TransactItems {
			units += 2 * math.Ceil(float64(len(i))/1024)
		}
		return units, len(in.TransactItems)
	}
	return 0, 0
}

// refuse answers as DynamoDB does beyond the capacity, with each of its two codes
// in turn (Amazon DynamoDB Developer Guide, "Error handling with DynamoDB").
func (l *throttle) refuse(p *passing) *reply {
	units, items := writeUnits(p)
	if units == 0 || l.take(units) {
		return nil
	}
	l.mu.Lock()
	odd := l.refused%2 == 1
	l.mu.Unlock()
	kind, message := "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
	if odd {
		kind, message = "com.amazon.coral.availability#ThrottlingException", "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly."
	}
	body := map[string]any{"__type": kind, "message": message}
	if p.op == "TransactWriteItems" {
		reasons, codes := make([]map[string]string, items), make([]string, items)
		for i := range reasons {
			codes[i] = "None"
			if i == 0 {
				codes[i] = "ProvisionedThroughputExceeded"
			}
			reasons[i] = map[string]string{"Code": codes[i]}
		}
		body = map[string]any{
			"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": reasons,
			"Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]",
		}
	}
	b, _ := json.Marshal(body) // maps of texts
	return &reply{status: 400, kind: "application/x-amz-json-1.0", body: string(b)}
}

// shorten gives every other answer of BatchGetItem half of its items, and the keys of
// the others back as unprocessed, while the tables are throttled (Amazon DynamoDB
// API Reference, "BatchGetItem").
func (l *throttle) shorten(p *passing) *reply {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.op != "BatchGetItem" || p.status != 200 || l.rate < 0 {
		return nil
	}
	if l.reads++; l.reads%2 == 0 {
		return nil
	}
	var out struct {
		Responses       map[string][]map[string]json.RawMessage
		UnprocessedKeys map[string]any
	}
	if err := json.Unmarshal([]byte(p.answer), &out); err != nil || len(out.UnprocessedKeys) > 0 {
		return nil
	}
	out.UnprocessedKeys = map[string]any{}
	for table, items := range out.Responses {
		half := (len(items) + 1) / 2
		var keys []map[string]json.RawMessage
		for _, i := range items[half:] {
			keys = append(keys, map[string]json.RawMessage{"pk": i["pk"], "sk": i["sk"]})
		}
		if len(keys) > 0 {
			out.Responses[table] = items[:half]
			out.UnprocessedKeys[table] = map[string]any{"Keys": keys, "ConsistentRead": true}
			l.put += len(keys)
		}
	}
	b, _ := json.Marshal(out) // as it was read
	return &reply{status: 200, kind: "application/x-amz-json-1.0", body: string(b)}
}

// DynamoDB has a quarter of the write units that the road needs: the road takes
// about as long as the units do, and loses nothing. Then it has none at all for a
// while: that is counted as a failure of storage, and of no row.
func TestBootstrapsSlowDownWithTheTables(t *testing.T) {
	rows := min(proofRows(t, 600), 10_000)
	d := deploy(t, plan{
		Set:   apptest.Load(t, "testdata/syncs"),
		Sizes: map[string]int{"push": 2, "salesforce": 2}, Visibility: hidden, Timeout: alive, Batch: 5, Sweep: time.Second,
	})
	l := &throttle{rate: -1}
	d.taps["dynamodb"].before(l.refuse)
	d.taps["dynamodb"].behind(l.shorten)
	delivered := func(query string, value int) time.Duration {
		begun := time.Now()
		d.push(t, "accounts", query, 0, rows, value)
		d.until(t, "the queue to empty", patience, func() bool { return d.depth(t, "salesforce") == 0 })
		return time.Since(begun)
	}
	took := delivered("need", 1)
	units, _ := l.set(-1)
	need := units / took.Seconds()

	l.set(need / 4)
	slow := delivered("quarter", 2)
	granted, refused := l.set(-1)
	least := time.Duration((granted/(need/4) - 1) * float64(time.Second)) // the bucket is full at first
	t.Logf("%d rows need %.0f write units, %.0f a second; at a quarter of that %.0f units took %.1f s, %.1f s at least; %d requests were throttled, %d keys left unprocessed",
		rows, units, need, granted, slow.Seconds(), least.Seconds(), refused, l.put)
	if refused == 0 || slow < least || l.put == 0 {
		t.Errorf("%d requests were throttled and %d keys left unprocessed, in %s", refused, l.put, slow)
	}
	if most := 2*least + 2*hidden; slow > most {
		t.Errorf("took %s, want at most %s", slow, most)
	}

	d.paused.Store(true)
	d.push(t, "accounts", "outage", 0, rows, 3)
	l.set(0)
	before := strings.Count(d.log.String(), `"StorageFailures":`)
	d.paused.Store(false)
	d.until(t, "the failures of storage to be counted", time.Minute, func() bool {
		return strings.Count(d.log.String(), `"StorageFailures":`) > before
	})
	l.set(-1)
	for _, query := range []string{"need", "quarter", "outage"} {
		r := d.settled(t, run.ImplicitID("accounts", query), patience)
		if c := r.Counts; c.Received != int64(rows) || c.Delivered != int64(rows) || c.Settled() != int64(rows) {
			t.Errorf("run %s: %+v", query, c)
		}
		for _, e := range apptest.Errors(t, d.fleets["control"], r.ID) {
			t.Errorf("run %s: error %s: %s", query, e.Type, e.Message)
		}
	}
	d.compare(t, "Account", "Name", rows, 3)
	if n := d.depth(t, "salesforce-dlq"); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	t.Log(fmt.Sprint(strings.Count(d.log.String(), `"StorageFailures":`)) + " invocations counted failures of storage")
}
