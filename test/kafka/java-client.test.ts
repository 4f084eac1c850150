import { compressionNames } from '../../packages/millrace/src/protocol/index.ts'
import { commandPeer } from '../conformance/peers/command-peer.ts'
import { openSecondEngine } from '../harness/engine.ts'
import { javaTool, missingJava } from './java.ts'
import { peerContract } from '../conformance/peers/peer.contract.ts'

/** Kafka's own producer and consumer, as its console tools drive them, on the embedded broker. */
peerContract(
  commandPeer({
    name: "Kafka's Java client",
    missing: missingJava,
    codecs: compressionNames,
    timeoutMs: 115_000,
    produce: ({ address, topic, compression }) =>
      javaTool(
        'ConsoleProducer',
        '--bootstrap-server',
        address,
        '--topic',
        topic,
        '--compression-codec',
        compression,
        '--reader-property',
        'parse.key=true',
      ),
    join: ({ address, topic, group }) =>
      javaTool(
        'consumer.ConsoleConsumer',
        '--bootstrap-server',
        address,
        '--topic',
        topic,
        '--group',
        group,
        '--from-beginning',
        '--command-property',
        'heartbeat.interval.ms=200',
        '--formatter-property',
        'print.partition=true',
        '--formatter-property',
        'print.offset=true',
        '--formatter-property',
        'print.key=true',
      ),
  }),
  openSecondEngine,
)
