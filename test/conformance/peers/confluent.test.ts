import { fileURLToPath } from 'node:url'
import { compressionNames } from '../../../packages/millrace/src/protocol/index.ts'
import { missingTool } from '../../harness/tool.ts'
import { commandPeer } from './command-peer.ts'
import { peerContract } from './peer.contract.ts'

/** Debian's package belongs to Debian's Python, which need not be the first on the path. */
const python = '/usr/bin/python3'
const program = fileURLToPath(new URL('./confluent_peer.py', import.meta.url))

peerContract(
  commandPeer({
    name: 'confluent-kafka-python',
    missing: await missingTool(
      python,
      ['-c', 'import confluent_kafka'],
      'apt-get install python3-confluent-kafka',
    ),
    codecs: compressionNames,
    produce: ({ address, topic, compression }) => [
      python,
      program,
      'produce',
      address,
      topic,
      compression,
    ],
    join: ({ address, topic, group }) => [python, program, 'join', address, topic, group],
  }),
)
