package envelope

import "time"

// A Message is one entry for a destination type's queue.
type Message struct {
	Group string // FIFO message group: the lane
	Dedup string // deduplication id: run, batch and chunk
	Body  []byte // text, at most 1 MiB
}

// A Delivery is a message as a worker receives it.
type Delivery struct {
	ID       string // message id, returned when the message is to stay in the queue
	Receipt  string
	Group    string
	Receives int       // times received, this one included
	SentAt   time.Time // when it was queued
	Body     []byte
}
