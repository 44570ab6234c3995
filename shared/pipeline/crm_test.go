package pipeline_test

import (
	"cmp"
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/penstock-data/penstock/shared/dest"
	"github.com/penstock-data/penstock/shared/pace"
	"github.com/penstock-data/penstock/shared/row"
	"github.com/penstock-data/penstock/shared/syncdef"
)

// A crm is a destination in memory that does what it is told: it upserts by key,
// keeps what it was sent, and fails as its hooks say.
type crm struct {
	mu      sync.Mutex
	now     func() time.Time
	id      string // of the account
	records map[string]map[string]string
	sends   map[string]int // records that were stored, by key
	calls   int            // pushes that reached it
	sizes   []int          // records per push that reached it
	removed int            // records that were removed
	probes  int
	grants  []time.Time
	quota   []pace.Window
	most    int // records a call; 0 is 3
	once    bool
	lookup  bool
	repeats bool          // it may be sent a record twice at once
	idless  bool          // it tells no ids of its own
	place   string        // the bucket of its lookups
	group   string        // the field whose value groups a run's rows
	quick   bool          // its lookups take no time
	beside  int           // its calls at once; 0 is 1
	logsIn  time.Duration // how long a push takes until it is sent
	waits   time.Duration // how long its client waits for an answer; 0 is a minute
	finds   bool          // it is asked for the records whose id is not known

	down    *dest.CallError                     // probes and calls fail
	probed  bool                                // probes do not
	fail    func(keys []string) *dest.CallError // a whole push, before anything is stored
	late    func(keys []string) *dest.CallError // a whole push, after all is stored
	outcome func(key string) *dest.Outcome      // one record instead of storing it
	during  func(keys []string)                 // runs amid a push
	takes   func(keys []string) time.Duration   // how long a push or a lookup is under way; hangs is for ever
	pass    func(time.Duration)                 // lets time pass
	stored  func(key string)                    // runs as a record is stored
	looked  func(keys []string) *dest.CallError // a whole lookup
	asked   func()                              // runs when it is asked which account it is
}

func newCRM(now func() time.Time) *crm {
	return &crm{now: now, id: "org-1", records: map[string]map[string]string{}, sends: map[string]int{}}
}

// vendor is the crm as a destination type.
func (c *crm) vendor() dest.Vendor {
	return dest.Vendor{
		Kind: syncdef.Kind{Name: "crm", Title: "CRM", Operations: []syncdef.Operation{syncdef.Upsert, syncdef.Insert}, Strategies: syncdef.Strategies},
		Open: func(dest.Config) (dest.Account, error) { return c, nil },
	}
}

// rules are those of its versions.
func (c *crm) rules() syncdef.Rules {
	return syncdef.Rules{Type: "crm", Once: c.once, Lookup: c.lookup, Idempotent: c.repeats, Group: c.group, Gather: c.group != "", Identity: row.Identity{Steps: []row.Step{row.StepTrim}}}
}

// hangs is how long a call is under way that is never answered.
const hangs = time.Duration(1<<63 - 1)

// underWay lets a call's time pass, as far as its caller waits: a minute at most.
func (c *crm) underWay(ctx context.Context, keys []string) error {
	if c.takes == nil {
		return nil
	}
	d, wait := c.takes(keys), cmp.Or(c.waits, time.Minute)
	if end, ok := ctx.Deadline(); ok {
		wait = min(wait, end.Sub(c.now()))
	}
	c.pass(min(d, wait))
	if d > wait {
		return &dest.CallError{Op: "upsert Account", Class: dest.Unavailable, Code: "no_answer", Received: true, Message: "no answer came"}
	}
	return nil
}

func (c *crm) Identity(context.Context) (string, error) {
	if c.down != nil {
		return "", c.down
	}
	if c.asked != nil {
		c.asked()
	}
	return c.id, nil
}

func (c *crm) Probe(ctx context.Context) error {
	if err := c.underWay(ctx, nil); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probes++
	if c.down != nil && !c.probed {
		return c.down
	}
	return nil
}

func (c *crm) APICalls() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(c.calls)
}

func (c *crm) Limits() dest.Limits {
	return dest.Limits{Concurrency: max(1, c.beside), Windows: func(string) []pace.Window { return c.quota }}
}
func (c *crm) Open(syncdef.Version) (dest.Destination, error) { return c, nil }

func (c *crm) Lookups(b dest.Batch) []dest.Call {
	if !c.lookup && !c.finds {
		return nil
	}
	var call dest.Call
	for i, r := range b.Records {
		if r.Intent || c.finds && r.ID == "" {
			call.Records = append(call.Records, i)
		}
	}
	if len(call.Records) == 0 {
		return nil
	}
	call.Costs = []dest.Cost{{Bucket: c.place, Tokens: 1}}
	return []dest.Call{call}
}

func (c *crm) Lookup(ctx context.Context, b dest.Batch, call dest.Call) ([]dest.Outcome, error) {
	if !c.quick {
		if err := c.underWay(ctx, keysOf(b, call)); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grants = append(c.grants, c.now())
	if c.down != nil {
		return nil, c.down
	}
	if c.looked != nil {
		if err := c.looked(keysOf(b, call)); err != nil {
			return nil, err
		}
	}
	out := make([]dest.Outcome, len(call.Records))
	for n, i := range call.Records {
		if k := b.Records[i].Key; c.finds {
			if c.records[k] != nil {
				out[n] = dest.Outcome{Status: dest.Found, ID: "id-" + k}
			}
		} else if c.sends[k] > 0 {
			out[n] = dest.Outcome{Status: dest.Delivered, ID: "id-" + k}
		}
	}
	return out, nil
}

func (c *crm) Calls(b dest.Batch, most int) []dest.Call {
	size := 3
	if c.most > 0 {
		size = c.most
	}
	if most > 0 {
		size = min(size, most)
	}
	var calls []dest.Call
	for i := range b.Records {
		if i%size == 0 {
			calls = append(calls, dest.Call{Costs: []dest.Cost{{Tokens: 1}}})
		}
		last := &calls[len(calls)-1]
		last.Records = append(last.Records, i)
	}
	return calls
}

// keysOf are the keys of a call's records.
func keysOf(b dest.Batch, call dest.Call) []string {
	keys := make([]string, len(call.Records))
	for n, i := range call.Records {
		keys[n] = b.Records[i].Key
	}
	return keys
}

func (c *crm) Push(ctx context.Context, b dest.Batch, call dest.Call) ([]dest.Outcome, error) {
	keys := keysOf(b, call)
	if c.during != nil {
		c.during(keys)
	}
	if err := c.logIn(ctx); err != nil {
		return nil, err
	}
	if err := c.underWay(ctx, keys); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.calls++
		c.sizes = append(c.sizes, len(keys))
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grants = append(c.grants, c.now())
	c.calls++
	c.sizes = append(c.sizes, len(keys))
	if c.down != nil {
		return nil, c.down
	}
	if c.fail != nil {
		if err := c.fail(keys); err != nil {
			return nil, err
		}
	}
	out := make([]dest.Outcome, len(keys))
	for n, i := range call.Records {
		out[n] = c.push(b.Records[i])
	}
	if c.late != nil {
		if err := c.late(keys); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// logIn is what comes before a push is sent; the context's own error says that it was not.
func (c *crm) logIn(ctx context.Context) error {
	if c.logsIn == 0 {
		return nil
	}
	end, ends := ctx.Deadline()
	if left := end.Sub(c.now()); ends && left < c.logsIn {
		c.pass(left)
		return context.DeadlineExceeded
	}
	c.pass(c.logsIn)
	return nil
}

func (c *crm) push(r dest.Record) dest.Outcome {
	if c.outcome != nil {
		if o := c.outcome(r.Key); o != nil {
			return *o
		}
	}
	if r.Delete {
		if c.records[r.Key] != nil {
			c.removed++
		}
		if len(r.Fields) > 0 { // it clears
			for _, f := range r.Fields {
				delete(c.records[r.Key], f.Name)
			}
			return dest.Outcome{Status: dest.Delivered, ID: r.ID}
		}
		delete(c.records, r.Key)
		return dest.Outcome{Status: dest.Delivered, ID: r.ID}
	}
	stored, there := c.records[r.Key]
	if !there {
		stored = map[string]string{}
		c.records[r.Key] = stored
	}
	for _, f := range r.Fields {
		stored[f.Name] = string(f.Value)
	}
	c.sends[r.Key]++
	if c.stored != nil {
		c.stored(r.Key)
	}
	o := dest.Outcome{Status: dest.Delivered, Created: !there}
	if !c.idless {
		o.ID = "id-" + r.Key
	}
	return o
}

// value is what it holds of a key's v, 0 where it holds none.
func (c *crm) value(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := strconv.Atoi(c.records[key]["Value__c"])
	if err != nil {
		return 0
	}
	return n
}
