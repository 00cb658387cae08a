package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// clusterFile is what a server needs of deploy/cluster/server.xml.
type clusterFile struct {
	Servers struct {
		Crm struct {
			Shards []struct {
				Internal bool `xml:"internal_replication"`
				Replicas []struct {
					Host string `xml:"host"`
				} `xml:"replica"`
			} `xml:"shard"`
		} `xml:"crm"`
	} `xml:"remote_servers"`
	Keeper string `xml:"zookeeper>node>host"`
	Macros struct {
		Shard   fromEnvironment `xml:"shard"`
		Replica fromEnvironment `xml:"replica"`
	} `xml:"macros"`
}

type fromEnvironment struct {
	From string `xml:"from_env,attr"`
}

// The files of the example cluster must fit each other: its servers are those of its
// cluster, each with its own shard and replica, and each mounted file is there.
func TestTheExampleClusterFitsTogether(t *testing.T) {
	const folder = "../../deploy/cluster"
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var compose struct {
		Services map[string]struct {
			Image       string            `yaml:"image"`
			Hostname    string            `yaml:"hostname"`
			Environment map[string]string `yaml:"environment"`
			Volumes     []string          `yaml:"volumes"`
			Ports       []string          `yaml:"ports"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal(read("compose.yaml"), &compose); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"keeper.xml", "users.xml"} {
		var any struct {
			XMLName xml.Name `xml:"clickhouse"`
		}
		if err := xml.Unmarshal(read(name), &any); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var cluster clusterFile
	if err := xml.Unmarshal(read("server.xml"), &cluster); err != nil {
		t.Fatal(err)
	}
	if _, there := compose.Services[cluster.Keeper]; !there {
		t.Errorf("the servers look for Keeper at %q, which is no service", cluster.Keeper)
	}
	var listed []string
	for i, shard := range cluster.Servers.Crm.Shards {
		if !shard.Internal {
			t.Errorf("shard %d: without internal_replication every row is written twice", i+1)
		}
		macro := ""
		for _, replica := range shard.Replicas {
			listed = append(listed, replica.Host)
			own := compose.Services[replica.Host].Environment[cluster.Macros.Shard.From]
			if own == "" || macro != "" && own != macro {
				t.Errorf("shard %d: server %s has the macro shard %q, its twin %q", i+1, replica.Host, own, macro)
			}
			macro = own
		}
	}
	identities := map[string]string{}
	for name, service := range compose.Services {
		for _, volume := range service.Volumes {
			if file, _, _ := strings.Cut(volume, ":"); strings.HasPrefix(file, "./") {
				read(file)
			}
		}
		if !strings.HasPrefix(service.Image, "clickhouse/clickhouse-") {
			t.Errorf("service %s runs %q", name, service.Image)
		}
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("service %s listens to the world: %s", name, port)
			}
		}
		if name == cluster.Keeper {
			continue
		}
		if !slices.Contains(listed, name) || service.Hostname != name {
			t.Errorf("server %s (host name %s) is in no shard", name, service.Hostname)
		}
		identity := service.Environment[cluster.Macros.Shard.From] + " " + service.Environment[cluster.Macros.Replica.From]
		if other := identities[identity]; other != "" {
			t.Errorf("servers %s and %s are both shard and replica %q", name, other, identity)
		}
		identities[identity] = name
	}
	if len(listed) != 4 || len(identities) != 4 {
		t.Errorf("%d servers in shards, %d servers, want 4 and 4", len(listed), len(identities))
	}
}
