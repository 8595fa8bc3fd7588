import { nearest } from './nearest.ts';

// Accounts and tags of Amazon's own images. Source: `image_uri_config/xgboost.json` and `sklearn.json` of the SageMaker
// Python SDK 2.257.6 (PyPI), whose two tables of accounts are the same. Fact of November 2025.

const ACCOUNTS: Readonly<Record<string, string>> = {
  'af-south-1': '510948584623',
  'ap-east-1': '651117190479',
  'ap-northeast-1': '354813040037',
  'ap-northeast-2': '366743142698',
  'ap-northeast-3': '867004704886',
  'ap-south-1': '720646828776',
  'ap-south-2': '628508329040',
  'ap-southeast-1': '121021644041',
  'ap-southeast-2': '783357654285',
  'ap-southeast-3': '951798379941',
  'ap-southeast-4': '106583098589',
  'ca-central-1': '341280168497',
  'ca-west-1': '190319476487',
  'cn-north-1': '450853457545',
  'cn-northwest-1': '451049120500',
  'eu-central-1': '492215442770',
  'eu-central-2': '680994064768',
  'eu-north-1': '662702820516',
  'eu-south-1': '978288397137',
  'eu-south-2': '104374241257',
  'eu-west-1': '141502667606',
  'eu-west-2': '764974769150',
  'eu-west-3': '659782779980',
  'il-central-1': '898809789911',
  'me-central-1': '272398656194',
  'me-south-1': '801668240914',
  'sa-east-1': '737474898029',
  'us-east-1': '683313688378',
  'us-east-2': '257758044811',
  'us-gov-east-1': '237065988967',
  'us-gov-west-1': '414596584902',
  'us-west-1': '746614075791',
  'us-west-2': '246618743249',
};

interface Family {
  repository: string;
  /** The tag of each version that a project file may name. */
  tags: Readonly<Record<string, string>>;
  /** Whether the image trains and serves by itself, without a script of the user. */
  algorithm: boolean;
}

const same = (...versions: string[]): Record<string, string> => Object.fromEntries(versions.map((v) => [v, v]));
const cpu = (...versions: string[]): Record<string, string> =>
  Object.fromEntries(versions.map((version) => [version, `${version}-cpu-py3`]));

const FAMILIES: Readonly<Record<string, Family>> = {
  xgboost: {
    repository: 'sagemaker-xgboost',
    tags: { ...cpu('0.90-1', '0.90-2', '1.0-1'), ...same('1.2-1', '1.2-2', '1.3-1', '1.5-1', '1.7-1', '3.0-5') },
    algorithm: true,
  },
  sklearn: {
    repository: 'sagemaker-scikit-learn',
    tags: cpu('0.20.0', '0.23-1', '1.0-1', '1.2-1', '1.4-2'),
    algorithm: false,
  },
};

/** The short names that a project file may use: `xgboost:1.7-1`. */
export function imageAliases(): string[] {
  return Object.entries(FAMILIES).flatMap(([family, { tags }]) => Object.keys(tags).map((tag) => `${family}:${tag}`));
}

const ECR = /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?\/[a-z0-9._/-]+([:@][\w.:-]+)?$/;

export type ImageResult = { uri: string; algorithm: boolean } | { problem: string; suggestion?: string };

/**
 * The URI of an image in a region.
 *
 * @param name an alias (`xgboost:1.7-1`) or a full ECR URI, which is taken as it is
 */
export function resolveImage(name: string, region: string): ImageResult {
  if (ECR.test(name)) {
    const family = Object.values(FAMILIES).find(({ repository }) => name.includes(`/${repository}:`));
    return { uri: name, algorithm: family?.algorithm ?? false };
  }
  const [family = '', version = ''] = name.split(':', 2);
  const tag = Object.hasOwn(FAMILIES, family) ? FAMILIES[family]?.tags[version] : undefined;
  if (tag === undefined) {
    const meant = nearest(name, imageAliases());
    return {
      problem: `the image ${name} is neither a known short name nor the URI of an image in ECR`,
      suggestion: meant === undefined ? `known: ${imageAliases().join(', ')}` : `did you mean ${meant}?`,
    };
  }
  const account = ACCOUNTS[region];
  if (account === undefined) {
    return { problem: `no account is known for the image ${name} in ${region}`, suggestion: 'write its full URI' };
  }
  const { repository, algorithm } = FAMILIES[family] as Family;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return { uri: `${account}.dkr.ecr.${region}.${domain}/${repository}:${tag}`, algorithm };
}
