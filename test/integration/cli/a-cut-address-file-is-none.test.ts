import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { chooseBrokers } from '../../../packages/millrace/src/cli/cluster.ts'

describe('the address file of millrace dev', () => {
  it('counts as none when a crash cut it short', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-address-'))
    try {
      await mkdir(join(folder, '.millrace'))
      for (const text of ['', '{"pid":12', 'null', '{"pid":"x"}']) {
        await writeFile(join(folder, '.millrace', 'dev.json'), text)
        const chosen = await chooseBrokers({
          brokers: undefined,
          config: undefined,
          env: {},
          folder,
        })
        assert.equal(chosen.origin, 'default', text)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
