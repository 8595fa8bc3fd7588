import { describe, expect, test } from 'vitest';
import { ImageTable, readPins, UnknownImage } from './images.ts';

const table = new ImageTable(
  { 'mine/*': { framework: 'sklearn', version: '1.2-1' }, 'python:3.8': { framework: 'xgboost', version: '9' } },
  readPins('# pins\nxgboost-cpu==3.0.5 ; sys_platform == "linux"\nscikit-learn==1.7.2\n'),
);

describe('the image table', () => {
  test.each([
    ['683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1', 'xgboost', '1.7-1'],
    ['811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1', 'xgboost', '1'],
    ['246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3', 'sklearn', '1.2-1'],
    ['450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:1.5-1', 'xgboost', '1.5-1'],
    ['683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn@sha256:0123', 'sklearn', 'latest'],
    ['xgboost:1.7-1', 'xgboost', '1.7-1'],
    ['mine/own:3', 'sklearn', '1.2-1'],
    ['python:3.8', 'xgboost', '9'],
    ['python:3.11', 'python', '3.11'],
  ])('finds %s', (uri, framework, version) => {
    expect(table.find(uri)).toMatchObject({ uri, framework, version });
  });

  test('says which library stands in for the tag', () => {
    expect(table.find('xgboost:1.7-1').standsIn).toBe('xgboost 3.0.5 stands in for 1.7-1');
  });

  test.each(['nginx:1', 'evil-sagemaker-xgboost:1.7-1', 'localhost:5000/xgboosted', '', `xgboost:${'1'.repeat(300)}`])(
    'does not know %s',
    (uri) => {
      expect(() => table.find(uri)).toThrow(UnknownImage);
    },
  );

  test('tells how to add an unknown image', () => {
    expect(() => table.find('localhost:5000/team/own:7')).toThrow(
      'a line in images.yaml beside delivery.yaml: `"localhost:5000/team/own": {framework: python, version: "1"}`',
    );
  });
});
