// Package pipeline is the road itself, in packages that do not import each other:
// intake takes a warehouse's rows and queues them, deliver takes messages to a
// destination and records what became of every row, runs begins, watches and ends
// runs and sends again what is due. Package version is what the first two share.
// Here stand the tests of the road as a whole.
package pipeline
