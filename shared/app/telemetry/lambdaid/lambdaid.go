// Package lambdaid tells the request id of a Lambda invocation. It stands apart from
// telemetry so that what is no Lambda function does not link Lambda's library.
package lambdaid

import (
	"context"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Of is the id that Lambda gave the invocation of a context, under which its own log
// lines stand too; "" elsewhere.
func Of(ctx context.Context) string {
	if l, ok := lambdacontext.FromContext(ctx); ok {
		return l.AwsRequestID
	}
	return ""
}
