// Command quality measures what crmwatch finds, and what it raises in vain, on data whose
// truth is known: the baselines on generated series, and all rules on a simulated month of
// a company's logs. make quality runs both.
//
//	go run ./detectors/quality                         # both, with the seeds that nothing was tuned on
//	go run ./detectors/quality -only rules -days 9 -users 40 -integrations 24 -seed 3
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/crmwatch/crmwatch/engine"
)

// engineChild is the argument that makes this program the engine's process.
const engineChild = "engine-child"

// heldOut is the seed of the simulated month. No rule was changed for what it showed.
const heldOut = 2029

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == engineChild {
		exit(engine.RunChild(ctx))
		return
	}
	only := flag.String("only", "", "baselines or rules; without it both")
	series := flag.Int("series", 8, "baselines: series of each kind")
	seriesSeed := flag.Uint64("series-seed", 7000, "baselines: first seed; each series has its own. The constants were chosen on seeds 1 to 6")
	world := month()
	flag.Uint64Var(&world.seed, "seed", world.seed, "rules: seed of the simulated company; the default is held out")
	flag.IntVar(&world.days, "days", world.days, "rules: simulated days")
	flag.IntVar(&world.users, "users", world.users, "rules: people")
	flag.IntVar(&world.integrations, "integrations", world.integrations, "rules: service accounts")
	flag.IntVar(&world.each, "each", world.each, "rules: incidents of each kind")
	kinds := flag.String("kinds", "", "rules: only these kinds of incident, with commas; none for no incident")
	rules := flag.String("rules", "", "rules: only these rules, with commas")
	flag.StringVar(&world.keep, "keep", "", "rules: folder in which logs and database are left; where they are, they are judged again")
	flag.BoolVar(&world.explain, "explain", false, "rules: print what was missed, and on standard error every false finding")
	flag.Parse()
	world.kinds, world.rules = list(*kinds), list(*rules)
	if *only != "rules" {
		measureBaselines(*seriesSeed, *series)
	}
	if *only != "baselines" {
		exit(measureRules(ctx, world, os.Stdout))
	}
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}
