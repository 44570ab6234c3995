package doctor

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/penstock-data/penstock/shared/app/metrics"
)

// ageWarns is how old a message may be: as long as QueueAgeAlarm of template.yaml has it.
const ageWarns = time.Hour

// A Queue is what is known of one.
type Queue struct {
	Name    string
	Waiting int           // messages, those in hand included
	Age     time.Duration // of the oldest; 0 where none waits, or it is not known
	Dead    int           // messages in its dead letters
	Working bool          // somebody takes messages
	Start   string        // the command that makes somebody take them
	Errors  string        // the command that shows what became of dead letters
}

// Finding judges the queue.
func (q Queue) Finding() Finding {
	f := Finding{Check: "queue", About: q.Name, Verdict: OK, Detail: "empty"}
	if q.Waiting > 0 {
		f.Detail = english.Plural(q.Waiting, "message waits", "messages wait")
		if q.Age > 0 {
			f.Detail += fmt.Sprintf(", the oldest for %v", q.Age.Round(time.Second))
		}
	}
	switch {
	case q.Dead > 0:
		f.Verdict, f.Remedy = Warn, q.Errors+"  shows its rows once they are stored as errors; within a minute, if the deadletter function works"
		f.Detail += fmt.Sprintf("; %s in the dead letters", english.Plural(q.Dead, "message", ""))
	case q.Waiting > 0 && !q.Working:
		f.Verdict, f.Remedy = Warn, q.Start
		f.Detail += ", and nobody works on them"
	case q.Age >= metrics.OldAfter:
		f.Verdict, f.Remedy = Fail, "mend what its connection says: after 14 days its rows become stored errors (docs/operating.md)"
	case q.Age >= ageWarns:
		f.Verdict, f.Remedy = Warn, "see what its connection says: rows wait for nothing else (docs/operating.md)"
	}
	return f
}
