package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/crmwatch/crmwatch/detectors/baseline"
)

type baselineCommand struct {
	Path      string `arg:"" name:"file" help:"CSV with a timestamp and a value in each row, or - for standard input."`
	Direction string `default:"both" enum:"up,down,both" help:"What is strange: values that are too large (up), too small (down), or both."`
	Bucket    string `default:"auto" help:"Time from one value to the next, such as 5m or 1h; auto: the median distance."`
	WarmUp    int    `name:"warm-up" placeholder:"N" help:"Values that are learnt before anything is judged; without it 7 days of them or, where that is more than a quarter of the file, 15 % of it; at least 50."`
	Gaps      string `default:"unknown" enum:"unknown,zero" help:"What a missing row stands for: unknown, or zero for counts."`
	Stats     bool   `help:"Write a summary to standard error."`
}

func (baselineCommand) Help() string {
	return `Judges a series of your own with the baselines that the spike rules use, and prints each row again with its score and
whether it is part of an episode: timestamp,value,score,open. Each value is judged by what came before it only. The score
is 0 while the history warms up, for missing values and for a timestamp that repeats; the first of those counts. Rows
must be in time order. docs/baselines.md says how to read a score.

Times may be Unix seconds, milliseconds, microseconds or nanoseconds, RFC 3339, or "2006-01-02 15:04:05" (UTC). Whole
numbers below 100 million are row numbers, an hour apart unless --bucket says otherwise.

Examples:
  crmwatch baseline calls.csv > scored.csv
  crmwatch baseline --direction up --stats latency.csv | awk -F, '$4 == 1'`
}

// lookAhead is how many rows are looked at before the first is judged: they say how
// far apart rows are and, when the file ends within them, how long it is.
const lookAhead = 20000

func (c *baselineCommand) Run(ctx context.Context, term terminal) error {
	var bucket time.Duration
	if c.Bucket != "auto" {
		var err error
		if bucket, err = time.ParseDuration(c.Bucket); err != nil || bucket < time.Millisecond {
			return exitError{exitFailed, fmt.Sprintf("--bucket %s: write auto or a length such as 5m or 1h", c.Bucket)}
		}
	}
	if c.WarmUp < 0 {
		return exitError{exitFailed, "--warm-up is negative: write how many values to learn first"}
	}
	var in io.Reader = os.Stdin
	name := "standard input"
	if c.Path != "-" {
		file, err := os.Open(c.Path)
		if err != nil {
			return exitError{exitNothing, err.Error()}
		}
		defer file.Close()
		in, name = file, c.Path
	}
	err := c.judge(ctx, newPoints(in, bucket), bucket, term)
	var bad pointError
	if errors.As(err, &bad) {
		return exitError{exitFailed, fmt.Sprintf("%s:%d: %s", name, bad.line, bad.reason)}
	}
	return err
}

func (c *baselineCommand) judge(ctx context.Context, points *points, bucket time.Duration, term terminal) error {
	var ahead []point
	var failed error
	for len(ahead) < lookAhead && failed == nil {
		var p point
		if p, failed = points.next(); failed == nil {
			ahead = append(ahead, p)
		}
	}
	if failed != nil && failed != io.EOF {
		return failed
	}
	if len(ahead) == 0 {
		return exitError{exitNothing, "there is no row with a timestamp and a value in it"}
	}
	if bucket == 0 {
		bucket = usualDistance(ahead)
	}
	o := baseline.Options{Bucket: bucket, WarmUp: c.WarmUp, FillZeros: c.Gaps == "zero"}
	o.Direction = map[string]baseline.Direction{"up": baseline.Up, "down": baseline.Down, "both": baseline.Both}[c.Direction]
	if o.WarmUp == 0 {
		o.WarmUp = baseline.WarmUpFor(len(ahead), bucket)
	}
	series, stats := baseline.New(o), baselineStats{bucket: bucket, warmUp: o.WarmUp}
	buffered := bufio.NewWriterSize(term.out, 64<<10)
	out := csv.NewWriter(buffered)
	row := []string{"timestamp", "value", "score", "open"}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := 0; ; i++ {
		var p point
		switch {
		case i < len(ahead):
			p = ahead[i]
		case failed == nil:
			if p, failed = points.next(); failed != nil {
				continue
			}
		case failed == io.EOF:
			out.Flush()
			if err := errors.Join(out.Error(), buffered.Flush()); err != nil {
				return fmt.Errorf("write the scores: %w", err)
			}
			if c.Stats {
				stats.write(term.err, series)
			}
			return nil
		default:
			// What was judged before the mistake is worth having.
			out.Flush()
			return errors.Join(failed, buffered.Flush())
		}
		v := series.Observe(p.at, p.value)
		stats.add(p, v)
		row[0], row[1], row[2], row[3] = p.timestamp, p.text, strconv.FormatFloat(v.Score, 'f', 6, 64), "0"
		if v.Open {
			row[3] = "1"
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write the scores: %w", err)
		}
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// usualDistance is the median distance of rows; of one row an hour.
func usualDistance(rows []point) time.Duration {
	var distances []time.Duration
	for i := 1; i < len(rows); i++ {
		if d := rows[i].at.Sub(rows[i-1].at); d > 0 {
			distances = append(distances, d)
		}
	}
	if len(distances) == 0 {
		return time.Hour
	}
	slices.Sort(distances)
	return max(time.Millisecond, distances[len(distances)/2])
}

// baselineStats is the summary of a run.
type baselineStats struct {
	bucket                             time.Duration
	warmUp                             int
	rows, missing, judged, open, ended int
	first, last, top                   point
	highest                            baseline.Verdict
}

func (s *baselineStats) add(p point, v baseline.Verdict) {
	if s.rows == 0 {
		s.first = p
	}
	s.last = p
	s.rows++
	s.ended += len(v.Ended)
	if p.missing() {
		s.missing++
	}
	if v.Warm {
		s.judged++
	}
	if v.Open {
		s.open++
	}
	if v.Score > s.highest.Score {
		s.highest, s.top = v, p
	}
}

func (s *baselineStats) write(out io.Writer, series *baseline.Series) {
	episodes := s.ended
	if _, open := series.Current(); open {
		episodes++
	}
	fmt.Fprintf(out, "%d rows from %s to %s, one in %s; %d missing; %d learnt first, %d judged\n",
		s.rows, s.first.timestamp, s.last.timestamp, s.bucket, s.missing, s.warmUp, s.judged)
	fmt.Fprintf(out, "%s, %d rows in them\n", plural(episodes, "episode"), s.open)
	if v := s.highest; v.Score > 0 {
		side, extreme := "above", "largest"
		if v.Down {
			side, extreme = "below", "smallest"
		}
		fmt.Fprintf(out, "highest score %.1f at %s: value %s is %s %.2f %% of %d values; %s median %s, %s before %g\n",
			// The median is known with the digits of a float32.
			v.Score, s.top.timestamp, s.top.text, side, 100*v.Share, v.Buckets, v.Slot(), strconv.FormatFloat(v.Median, 'f', -1, 32), extreme, v.PeakBefore)
	}
}
