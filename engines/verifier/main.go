// Verifies signatures for a node, many at once: `verifier FD` answers frames on a socket until its other end closes.
//
// A frame is a length of four bytes and, for each signature, the lengths of key (2 bytes) and message (4), the
// signature (64), the key as SubjectPublicKeyInfo, and the message; the answer is a length and a byte each, 1 for a
// good one. All numbers are big-endian. The rules are those of hansa.wire.keys: Ed25519 by ZIP-215, ES256 with a low s.
// It knows no ledger and keeps nothing but keys taken apart.
package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/cache"
)

const (
	signatureBytes = 64
	headBytes      = 2 + 4 + signatureBytes
	keysCached     = 16384
)

var (
	ed25519Key = []byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}
	p256Key    = []byte{
		0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
		0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
	}
	zip215    = &ed25519.Options{Verify: ed25519.VerifyOptionsZIP_215}
	expanded  = cache.NewVerifier(cache.NewLRUCache(keysCached))
	halfOrder = new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	errFrame  = errors.New("a frame that ends within a signature")
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "verifier:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("it takes the number of a socket, or `version`")
	}
	if args[1] == "version" {
		return tell()
	}
	number, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	signal.Ignore(os.Interrupt) // at Ctrl-C the node ends it
	socket := os.NewFile(uintptr(number), "socket")
	in := bufio.NewReaderSize(socket, 1<<20)
	var head [4]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return nil // the node has ended
		}
		frame := make([]byte, binary.BigEndian.Uint32(head[:]))
		if _, err := io.ReadFull(in, frame); err != nil {
			return nil
		}
		verdicts, err := judge(frame)
		if err != nil {
			return err
		}
		answer := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(verdicts)), uint32(len(verdicts)))
		if _, err := socket.Write(append(answer, verdicts...)); err != nil {
			return nil
		}
	}
}

// tell says in which version the module is that does the work.
func tell() error {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/oasisprotocol/curve25519-voi" {
			fmt.Println(module.Version)
			return nil
		}
	}
	return errors.New("it does not know what it was built from")
}

// judge gives a verdict for each signature of a frame. Those by Ed25519 are verified together; only if one of them is
// bad, each is verified alone.
func judge(frame []byte) ([]byte, error) {
	var verdicts []byte
	var places []int
	batch := ed25519.NewBatchVerifier()
	for len(frame) > 0 {
		if len(frame) < headBytes {
			return nil, errFrame
		}
		keyBytes := int(binary.BigEndian.Uint16(frame))
		messageBytes := int(binary.BigEndian.Uint32(frame[2:]))
		signature, rest := frame[6:headBytes], frame[headBytes:]
		if len(rest) < keyBytes+messageBytes {
			return nil, errFrame
		}
		key, message := rest[:keyBytes], rest[keyBytes:keyBytes+messageBytes]
		frame = rest[keyBytes+messageBytes:]
		switch {
		case len(key) == len(ed25519Key)+ed25519.PublicKeySize && bytes.HasPrefix(key, ed25519Key):
			places = append(places, len(verdicts))
			expanded.AddWithOptions(batch, key[len(ed25519Key):], message, signature, zip215)
			verdicts = append(verdicts, 0)
		case len(key) == len(p256Key)+65 && bytes.HasPrefix(key, p256Key):
			verdicts = append(verdicts, es256(key[len(p256Key):], message, signature))
		default:
			verdicts = append(verdicts, 0)
		}
	}
	if len(places) == 0 {
		return verdicts, nil
	}
	_, each := batch.Verify(rand.Reader)
	for number, place := range places {
		if each[number] {
			verdicts[place] = 1
		}
	}
	return verdicts, nil
}

func es256(point, message, signature []byte) byte {
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return 0
	}
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	digest := sha256.Sum256(message)
	if s.Cmp(halfOrder) > 0 || !ecdsa.Verify(key, digest[:], r, s) {
		return 0
	}
	return 1
}
