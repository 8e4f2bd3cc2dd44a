# The two sides of a deployment: which is live, and what the resting one leaves to it. For `source`.
# A side is named as `az functionapp` takes it: `-g GROUP -n APP`, with `--slot staging` for a slot.

# every timer but the reconciler, which is off on both sides while there are two: a side would begin
# anew what only the other one's task hub knows
TIMERS=(beat run_canary watch_hooks watch_secrets watch_rights apply_retention)

# find_sides GROUP APP: sets `live` and `resting`, the apps on Flex Consumption, where APP is the first
find_sides() {
  live="$(az group show -n "$1" --query 'tags."code-agent-live"' -o tsv)"
  live="${live:-$2}"
  case "$live" in
    "$2") resting="$2-b" ;;
    "$2-b") resting="$2" ;;
    *) echo "the tag code-agent-live of $1 says $live, which is no side of $2" >&2; return 1 ;;
  esac
}

# export_live_side GROUP APP: tells the templates which app is live, `a` or `b`; the first, before there are any
export_live_side() {
  local there
  export DEPLOY_LIVE_SIDE=a
  there="$(az group exists -n "$1")"
  [ "$there" = true ] || return 0
  find_sides "$1" "$2"
  if [ "$live" = "$2-b" ]; then DEPLOY_LIVE_SIDE=b; fi
}

# rest SIDE…, wake SIDE…: whether the timers of a side run
rest() { _disable true "${TIMERS[*]}" "$@"; }
wake() { _disable false "${TIMERS[*]}" "$@"; }

# hold_reconciler SIDE…, let_reconcile SIDE…
hold_reconciler() { _disable true reconcile "$@"; }
let_reconcile() { _disable false reconcile "$@"; }

# _disable true|false TIMERS SIDE…: the names of the timers are one argument
_disable() {
  local timer settings=()
  for timer in $2; do settings+=("AzureWebJobs.$timer.Disabled=$1"); done
  az functionapp config appsettings set "${@:3}" --output none --settings "${settings[@]}"
}

# go_live GROUP APP: APP is live from now on: the tag says so, and the web test asks it
go_live() {
  local test
  test="$(az resource list -g "$1" --resource-type Microsoft.Insights/webtests --query '[0].id' -o tsv)"
  az resource update --ids "$test" --output none \
    --set "properties.Request.RequestUrl=https://$2.azurewebsites.net/gateway/ready"
  az group update -n "$1" --set "tags.code-agent-live=$2" --output none
}
