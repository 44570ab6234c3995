package slack

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/penstock-data/penstock/shared/dest"
)

// A remedy is what an error code of Slack's means and what to do about it.
type remedy struct {
	kind kind
	text string
}

const (
	newToken = "store a valid bot token (xoxb-...) of the app under the key token of the connection's secret"
	askAdmin = "ask an administrator of the workspace to allow it"
)

// missingScope is the code of a call that the app lacks a scope for.
const missingScope = "missing_scope"

// remedies are Slack's codes, from the pages of chat.postMessage,
// conversations.history and conversations.list. Codes that say that the operation
// may have been carried out in part are lost: a lookup settles them.
var remedies = map[string]remedy{
	"ratelimited":            {throttled, "Slack asks to slow down"},
	"rate_limited":           {throttled, "Slack asks to slow down"},
	"message_limit_exceeded": {allowance, "the workspace sends more messages than its plan allows"},

	"internal_error": {lost, "Slack failed in the middle of the request"},
	"fatal_error":    {lost, "Slack failed in the middle of the request"},

	"request_timeout": {lost, "Slack received the request cut off"},

	"service_unavailable": {unavailable, "Slack is unavailable"},
	"team_added_to_org":   {unavailable, "the workspace is being moved into an organisation"},

	"invalid_auth":           {configuration, "Slack refuses the token, or calls from this network: " + newToken},
	"not_authed":             {configuration, "Slack saw no token: " + newToken},
	"account_inactive":       {configuration, "the token's app or workspace was removed: " + newToken},
	"token_revoked":          {configuration, "the token was revoked: install the app again and " + newToken},
	"token_expired":          {configuration, "the token has expired: " + newToken},
	"not_allowed_token_type": {configuration, "this is not a bot token: " + newToken},
	missingScope:             {configuration, "the app lacks a scope: add it under OAuth & Permissions and install the app again"},
	"access_denied":          {configuration, "access is denied: " + askAdmin},
	"accesslimited":          {configuration, "the network is not allowed to call Slack: " + askAdmin},
	"app_access_restricted":  {configuration, "the app may not be used: " + askAdmin},
	"ekm_access_denied":      {configuration, "posting is suspended: " + askAdmin},
	"org_login_required":     {configuration, "the workspace is being moved into an organisation: " + askAdmin},
	"team_access_not_granted": {configuration,
		"the app is not installed in this workspace: " + askAdmin},
	"two_factor_setup_required":      {configuration, "the token's user has to set up two-factor authentication: " + askAdmin},
	"unknown_method":                 {configuration, "the address does not know Slack's methods: check the connection's url"},
	"metadata_must_be_sent_from_app": {configuration, "this token cannot send metadata: " + newToken},

	"channel_not_found":                     {badChannel, "there is no such channel, or it is private and the bot is not in it: check the name, or invite the bot to the channel: /invite @penstock"},
	"not_in_channel":                        {badChannel, "the bot is not in the channel: invite the bot to the channel: /invite @penstock"},
	"no_permission":                         {badChannel, "the token may not post there: give the app the scope chat:write, and invite the bot to the channel: /invite @penstock"},
	"is_archived":                           {badChannel, "the channel is archived: restore it, or name another one"},
	"team_not_found":                        {badChannel, "with a token for a whole organisation a channel is given by its id"},
	"restricted_action":                     {badChannel, "the bot may not post there: " + askAdmin},
	"restricted_action_read_only_channel":   {badChannel, "the channel is read-only: " + askAdmin},
	"restricted_action_thread_only_channel": {badChannel, "the channel takes replies only: name another one"},
	"messages_tab_disabled":                 {badChannel, "the app's messages tab is switched off: switch it on under App Home"},

	"user_not_a_channel": {badChannel, "what was sent to a person cannot be looked for: name a channel"},

	"msg_too_long":       {badRecord, "the message is too long: shorten it in the model, or set slack: {on_too_long: truncate}"},
	"no_text":            {badRecord, "the message has no text: give the row a text, or leave it out of the model"},
	"metadata_too_large": {badRecord, "the record id is too long for Slack's metadata: shorten it"},
}

// judgeCode classes an answer with "ok": false. A code that is not listed is the
// message's fault, while there are few: Slack has answered, and has not sent it.
func (a *account) judgeCode(e *refusedError) verdict {
	code := dest.ErrorCode(e.code)
	r, known := remedies[code]
	if !known {
		return verdict{strange, code, fmt.Sprintf("Slack refuses the message: %s", code), 0}
	}
	v := verdict{r.kind, code, fmt.Sprintf("%s (%s)", r.text, code), e.after}
	if code == missingScope && plainScope.MatchString(e.needed) {
		v.message = fmt.Sprintf("the app lacks the scope %s: add it under OAuth & Permissions and install the app again (%s)", e.needed, code)
	}
	if r.kind == configuration && strings.Contains(r.text, newToken) || code == missingScope {
		a.client.forget() // a person will replace it
	}
	return v
}

// plainScope is what scopes look like, several of them with commas.
var plainScope = regexp.MustCompile(`^[a-z][a-z.:,_]{0,199}$`)
