package worker

import (
	"runtime/debug"
	"strconv"
)

// memorySize is where Lambda tells a function its memory, in MB (AWS documentation,
// "Defined runtime environment variables").
const memorySize = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"

// heapGrowth is how much the heap grows between two collections, in percent of what
// lives. At Go's 100 a worker spends a quarter of its time on collecting.
const heapGrowth = 400

// useMemory lets the heap grow further than Go does by itself, up to three quarters of
// the function's memory, which is paid for whether it is used or not; the rest is the
// program and what the system keeps. Where nothing tells the memory, or somebody has
// set the collector otherwise, it changes nothing.
func useMemory(lookup func(string) (string, bool)) {
	text, _ := lookup(memorySize)
	mb, err := strconv.ParseInt(text, 10, 64)
	if err != nil || mb <= 0 {
		return
	}
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if v, _ := lookup(name); v != "" {
			return
		}
	}
	debug.SetGCPercent(heapGrowth)
	debug.SetMemoryLimit(mb << 20 / 4 * 3)
}
