// Command intercom is the Lambda function that delivers queued rows to Intercom.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest/intercom"
)

func main() {
	h, err := worker.FromEnvironment(intercom.Vendor)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start intercom:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
