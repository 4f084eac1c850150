import assert from 'node:assert/strict'
import { it } from 'node:test'

import { untilReachable } from '../../../packages/millrace/src/cli/until-reachable.ts'
import { failure } from '../../../packages/millrace/src/errors/index.ts'

const away = failure('MR_CLUSTER_UNREACHABLE', { addresses: ['a:1'], reason: 'refused' })

it('tries again while the cluster is away, and says so once', async () => {
  const said: string[] = []
  let attempts = 0
  const open = (): Promise<string> =>
    ++attempts < 2 ? Promise.reject(away) : Promise.resolve('open')
  const opened = await untilReachable(open, {
    say: (line) => said.push(line),
    signal: new AbortController().signal,
  })
  assert.equal(opened, 'open')
  assert.deepEqual(said, [`${away.message}; trying again until it answers`, 'The cluster answers'])
})

it('gives up at once on what another try cannot mend', async () => {
  const wrong = failure('MR_CLI_USAGE', { reason: 'wrong' })
  const options = { say: () => undefined, signal: new AbortController().signal }
  await assert.rejects(
    untilReachable(() => Promise.reject(wrong), options),
    wrong,
  )
})
