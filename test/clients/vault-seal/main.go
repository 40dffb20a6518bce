// The `awskms` seal of Vault and OpenBao by itself: seal|unseal IN OUT, configured as their stanza `seal "awskms"` is.
package main

import (
	"context"
	"fmt"
	"os"

	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
	"github.com/hashicorp/go-kms-wrapping/wrappers/awskms/v2"
	"google.golang.org/protobuf/proto"
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, word, source, target string) error {
	wrapper := awskms.NewWrapper()
	stanza := map[string]string{"kms_key_id": os.Getenv("SEAL_KEY"), "endpoint": os.Getenv("SEAL_ENDPOINT")}
	if _, err := wrapper.SetConfig(ctx, wrapping.WithConfigMap(stanza)); err != nil {
		return err
	}
	input, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	output, err := transform(ctx, wrapper, word, input)
	if err != nil {
		return err
	}
	if id, err := wrapper.KeyId(ctx); err == nil {
		fmt.Println(id)
	}
	return os.WriteFile(target, output, 0o600)
}

func transform(ctx context.Context, wrapper wrapping.Wrapper, word string, input []byte) ([]byte, error) {
	if word == "seal" {
		sealed, err := wrapper.Encrypt(ctx, input)
		if err != nil {
			return nil, err
		}
		return proto.Marshal(sealed)
	}
	sealed := new(wrapping.BlobInfo)
	if err := proto.Unmarshal(input, sealed); err != nil {
		return nil, err
	}
	return wrapper.Decrypt(ctx, sealed)
}
