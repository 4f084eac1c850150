import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Compression } from '../../../packages/millrace/src/protocol/index.ts'
import type { Peer, PeerMember, PeerMessage } from './peer.ts'

/** A peer that is a program: `key<TAB>value` lines go in, `partition<TAB>offset<TAB>key<TAB>value` lines come out. */
export interface CommandPeerOptions extends Omit<Peer, 'produce' | 'join'> {
  produce(to: {
    readonly address: string
    readonly topic: string
    readonly compression: Compression
  }): readonly string[]
  join(from: {
    readonly address: string
    readonly topic: string
    readonly group: string
  }): readonly string[]
}

const stopTimeoutMs = 15_000

export function commandPeer(options: CommandPeerOptions): Peer {
  const { name } = options
  return {
    ...options,
    async produce(address, topic, messages, compression) {
      const child = start(options.produce({ address, topic, compression }))
      const errors = errorsOf(child)
      child.stdin?.end(messages.map(({ key, value }) => `${key}\t${value}\n`).join(''))
      const [code] = (await once(child, 'exit')) as [number | null]
      if (code !== 0) throw new Error(`${name} ended with ${code}: ${errors()}`)
    },
    join: (address, group, topic) =>
      Promise.resolve(memberOf(name, start(options.join({ address, topic, group })))),
  }
}

function start([command = '', ...args]: readonly string[]): ChildProcess {
  return spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
}

function errorsOf(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.on('data', (chunk: unknown) => {
    text = (text + String(chunk)).slice(-2000)
  })
  return () => text
}

function memberOf(name: string, child: ChildProcess): PeerMember {
  const messages: PeerMessage[] = []
  const errors = errorsOf(child)
  const exited = once(child, 'exit')
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [partition, offset, key = '', value = ''] = line.split('\t')
      messages.push({ partition: numberIn(partition), offset: numberIn(offset), key, value })
    })
  }
  return {
    messages,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) throw new Error(`${name} ended by itself: ${errors()}`)
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
      await exited
      clearTimeout(killer)
    },
  }
}

/** Java's console consumer writes `Partition:3`. */
function numberIn(text = ''): number {
  return Number(text.replace(/^\D+/, ''))
}
