// Command sweep is the Lambda function that settles runs and moves watermarks, every minute.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/penstock-data/penstock/shared/app/sweep"
)

func main() {
	h, err := sweep.FromEnvironment()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start sweep:", err)
		os.Exit(1)
	}
	lambda.Start(h)
}
