//! The templates of a made-up fleet: two reconcilers, a namespace, and platform config in three forms.

/// Names and specs.
pub(super) const TEMPLATES: [(&str, &str); 6] = [
    (
        "flux",
        r#"spec:
  type: reconciler
  manifests:
  - |
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: GitRepository
    metadata:
      name: {{ .DeploymentTargetName }}
      namespace: flux-system
    spec:
      interval: 1m
      url: {{ .Manifests.repo }}
      ref:
        branch: {{ .Manifests.branch }}
  - |
    apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata:
      name: {{ .DeploymentTargetName }}
      namespace: flux-system
    spec:
      interval: 1m
      targetNamespace: {{ .Namespace }}
      sourceRef:
        kind: GitRepository
        name: {{ .DeploymentTargetName }}
      path: {{ .Manifests.path | quote }}
      prune: true
      wait: true
"#,
    ),
    (
        "argo",
        r#"spec:
  type: reconciler
  manifests:
  - |
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata:
      name: {{ .DeploymentTargetName }}
      namespace: argocd
    spec:
      project: default
      destination:
        server: https://kubernetes.default.svc
        namespace: {{ .Namespace }}
      source:
        repoURL: {{ .Manifests.repo }}
        targetRevision: {{ .Manifests.branch }}
        path: {{ .Manifests.path | quote }}
        directory: {recurse: true}
      syncPolicy:
        automated: {prune: true}
        syncOptions: [CreateNamespace=true]
"#,
    ),
    (
        "plain",
        r#"spec:
  type: namespace
  manifests:
  - |
    apiVersion: v1
    kind: Namespace
    metadata:
      name: {{ .Namespace }}
      labels:
        environment: {{ .Environment }}
        workspace: {{ .Workspace }}
        workload: {{ .Workload }}
        deploymentTarget: {{ .DeploymentTargetName }}
"#,
    ),
    (
        "values",
        r#"spec:
  type: config
  manifests:
  - |-
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: platform-config
      namespace: {{ .Namespace }}
    data:
    {{ toYaml .ConfigData | indent 2 }}
"#,
    ),
    (
        "exports",
        r#"spec:
  type: config
  contentType: sh
  manifests:
  - |
    {{- range $name, $value := .ConfigData }}
    export {{ $name | upper }}={{ $value | toString | quote }}
    {{- end }}
"#,
    ),
    (
        "digest",
        r#"spec:
  type: config
  manifests:
  - |
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: platform-config
      namespace: {{ .Namespace | trunc 63 | trimSuffix "-" }}
      annotations:
        digest: "{{ hash .ConfigData }}"
        purpose: {{ index .Labels "purpose" | default "none" | quote }}
    data:
    {{ stringify .ConfigData | nindent 2 }}
  - |
    {{ if eq .Labels.type "service" }}apiVersion: v1
    kind: ConfigMap
    metadata:
      name: checksum
      namespace: {{ .Namespace }}
    data:
      sum: {{ .DeploymentTargetName | sha256sum }}
    {{ end }}
"#,
    ),
];
