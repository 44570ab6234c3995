package awstest

// Environment points the SDK of a test's process at a server that stands in for AWS, and
// at nothing of the machine's own; it tries each call once. t is a *testing.T, which this
// package does not import for it: programs of one machine link it.
func Environment(t interface {
	Setenv(key, value string)
	TempDir() string
}, url string) {
	for name, value := range map[string]string{
		"HOME": t.TempDir(), "AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_DYNAMODB": "", "AWS_ENDPOINT_URL_SQS": "", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "",
		"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_MAX_ATTEMPTS": "1",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
	} {
		t.Setenv(name, value)
	}
}
