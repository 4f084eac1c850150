import { compressionNames } from '../../../packages/millrace/src/protocol/index.ts'
import { missingTool } from '../../harness/tool.ts'
import { commandPeer } from './command-peer.ts'
import { peerContract } from './peer.contract.ts'

const common = ['-q', '-X', 'session.timeout.ms=10000', '-X', 'heartbeat.interval.ms=200']

peerContract(
  commandPeer({
    name: 'kcat',
    missing: await missingTool('kcat', ['-V'], 'apt-get install kcat'),
    codecs: compressionNames,
    produce: ({ address, topic, compression }) => [
      'kcat',
      '-q',
      '-P',
      '-b',
      address,
      '-t',
      topic,
      '-z',
      compression,
      '-K',
      '\t',
      '-X',
      'partitioner=murmur2_random',
    ],
    join: ({ address, topic, group }) => [
      'kcat',
      ...common,
      '-u',
      '-b',
      address,
      '-G',
      group,
      '-X',
      'auto.offset.reset=earliest',
      '-X',
      'auto.commit.interval.ms=50',
      '-f',
      '%p\t%o\t%k\t%s\n',
      topic,
    ],
  }),
)
