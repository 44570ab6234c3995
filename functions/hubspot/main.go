// Command hubspot is the Lambda function that delivers queued rows to HubSpot.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest/hubspot"
)

func main() {
	h, err := worker.FromEnvironment(hubspot.Vendor)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start hubspot:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
