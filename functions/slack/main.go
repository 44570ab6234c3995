// Command slack is the Lambda function that delivers queued rows to Slack.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/worker"
	"github.com/penstock-data/penstock/shared/dest/slack"
)

func main() {
	h, err := worker.FromEnvironment(slack.Vendor)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start slack:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
