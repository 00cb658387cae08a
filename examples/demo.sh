#!/bin/sh
# make demo: two weeks of an invented company's logs, scanned. Everything it makes is under demo/.
set -eu
cd "$(dirname "$0")/.."
rm -rf demo
mkdir demo

echo '$ bin/crmwatch simulate --example demo/logs'
bin/crmwatch simulate --example --truth demo/truth.json demo/logs
echo
echo '$ bin/crmwatch scan --data demo/data --slack-preview demo/logs'
bin/crmwatch scan --data demo/data --slack-preview demo/logs
echo
echo 'What was hidden in the logs is in demo/truth.json; examples/README.md tells about the company.'
