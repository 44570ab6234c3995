// Command salesforce is the Lambda function that delivers queued rows to Salesforce.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest/salesforce"
)

func main() {
	h, err := worker.FromEnvironment(salesforce.Vendor)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start salesforce:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
