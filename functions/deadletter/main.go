// Command deadletter is the Lambda function that turns what could not be processed into stored errors.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/worker"
)

func main() {
	h, err := worker.DeadLetters()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start deadletter:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
