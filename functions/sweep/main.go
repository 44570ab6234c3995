// Command sweep is the Lambda function that settles runs, moves watermarks and
// tells people what is wrong, every minute.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/sweep"
	"github.com/penstock-data/penstock/shared/dest/slack"
)

func main() {
	h, err := sweep.FromEnvironment(slack.Vendor)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start sweep:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
