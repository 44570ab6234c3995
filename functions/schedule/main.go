// Command schedule is the Lambda function that EventBridge Scheduler calls when a sync
// is due, and every minute: it runs penstock_run in the warehouse.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/schedule"
)

func main() {
	h, err := schedule.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start schedule:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
