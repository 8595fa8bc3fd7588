import { describe, expect, it } from 'vitest';
import { checkTargetModel } from './target-model.ts';

describe('checkTargetModel', () => {
  it.each(['churn.tar.gz', 'churn/v3/model.tar.gz', 'a..b.tar.gz', 'ü.tar.gz', '.hidden'])('takes %s', (name) => {
    expect(() => checkTargetModel(name)).not.toThrow();
  });

  it.each([
    '',
    '/model.tar.gz',
    '../model.tar.gz',
    'a/../../model.tar.gz',
    'a/./b',
    'a//b',
    'a/',
    'a%2e%2e/b',
    'a%2Fb',
    'a\0b',
    'a\nb',
    'a\\..\\b',
    'x'.repeat(1025),
  ])('refuses %j', (name) => {
    expect(() => checkTargetModel(name)).toThrow('Invalid target model');
  });
});
