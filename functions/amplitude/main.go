// Command amplitude is the Lambda function that delivers queued rows to Amplitude.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest/amplitude"
)

func main() {
	h, err := worker.FromEnvironment(amplitude.Vendor)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start amplitude:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
