import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { clientIdOf, frameworkOf, importEndingOf } from './read-project.ts'

describe('what a folder says of itself', () => {
  it('names a framework by its package; Nest before what it stands on', () => {
    assert.equal(frameworkOf({ next: '16', react: '19' }), 'next')
    assert.equal(frameworkOf({ express: '5', '@nestjs/core': '11' }), 'nest')
    assert.equal(frameworkOf({ fastify: '5' }), 'fastify')
    assert.equal(frameworkOf({ lodash: '4' }), 'plain')
  })

  it('gives a client id of plain characters', () => {
    assert.equal(clientIdOf('@acme/Web Shop_2'), 'web-shop-2')
    assert.equal(clientIdOf('日本'), 'app')
  })

  it('tells how imports end, and guesses nothing', () => {
    const ending = (text: string | undefined): string | undefined => importEndingOf(text)?.('.ts')
    assert.equal(ending(undefined), '.ts', 'Node strips types')
    assert.equal(ending('{ "compilerOptions": { "allowImportingTsExtensions": true } }'), '.ts')
    assert.equal(ending('{ "compilerOptions": { "module": "NodeNext" } }'), '.js')
    assert.equal(ending('{ "compilerOptions": { "moduleResolution": "bundler" } }'), '')
    assert.equal(ending('{ "compilerOptions": { "module": "commonjs" } }'), undefined)
    assert.equal(ending('{ "extends": "./other.json" }'), undefined)
    assert.equal(ending('not JSON'), undefined)
    const commented = `{
      // "module": "commonjs",
      "compilerOptions": { "paths": { "@/*": ["./src/*"] }, "module": "node16", /* yes */ },
    }`
    assert.equal(ending(commented), '.js', 'comments go, a path with two slashes stays')
  })
})
