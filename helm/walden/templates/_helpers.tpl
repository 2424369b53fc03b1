{{- define "walden.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "walden.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "walden.labels" -}}
{{ include "walden.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "walden.secretName" -}}
{{- .Values.auth.existingSecret | default (include "walden.fullname" .) -}}
{{- end -}}

{{- define "walden.tlsSecretName" -}}
{{- .Values.tls.existingSecret | default (printf "%s-tls" (include "walden.fullname" .)) -}}
{{- end -}}

{{- define "walden.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "walden.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* Megabytes of a size as postgresql.conf writes it; a bare number counts 8 kB blocks. Rounded up. */ -}}
{{- define "walden.megabytes" -}}
{{- $text := . | toString | replace " " "" -}}
{{- $number := regexFind "^[0-9]+" $text | int64 -}}
{{- $unit := regexReplaceAll "^[0-9]+" $text "" -}}
{{- if eq $unit "TB" -}}{{ mul $number 1048576 }}
{{- else if eq $unit "GB" -}}{{ mul $number 1024 }}
{{- else if eq $unit "MB" -}}{{ $number }}
{{- else if eq $unit "kB" -}}{{ div (add $number 1023) 1024 }}
{{- else if eq $unit "" -}}{{ div (add $number 127) 128 }}
{{- else -}}{{ fail (printf "settings: %q is not a size (kB, MB, GB, TB)" $text) }}
{{- end -}}
{{- end -}}

{{- /* Buffers with their descriptors (2 %), WAL buffers (1/32 of the buffers, at most 16 MB, or as set), what each connection and
       lock takes, and what is there in any case. tests/helm compares this with what a node asks for. */ -}}
{{- define "walden.sharedMemory" -}}
{{- if .Values.sharedMemory.size -}}
{{- .Values.sharedMemory.size -}}
{{- else -}}
{{- $buffers := include "walden.megabytes" (.Values.settings.shared_buffers | default "128MB") | int64 -}}
{{- $wal := 16 | int64 -}}
{{- with .Values.settings.wal_buffers -}}{{- $wal = include "walden.megabytes" . | int64 -}}{{- end -}}
{{- $connections := .Values.settings.max_connections | default 100 | int64 -}}
{{- $locks := .Values.settings.max_locks_per_transaction | default 64 | int64 -}}
{{- $perConnection := add 128 (div (mul $locks 512) 1024) -}}
{{- printf "%dMi" (add $buffers (div $buffers 50) $wal (div (mul $connections $perConnection) 1024) 64) -}}
{{- end -}}
{{- end -}}
